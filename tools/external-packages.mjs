/** Packages that find their own binaries or files at run time, so they stay outside the bundled programs. */
export const EXTERNAL_PACKAGES = ['esbuild', '@node-rs/xxhash', 'lz4-napi', 'koffi'];
