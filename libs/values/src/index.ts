export { encodeValue, type EncodeOptions } from './encode-value.js';
export { decodeValue, type DecodeOptions } from './decode-value.js';
export { registerCodec, type Codec } from './codec-registry.js';
export { copyOut, unshared } from './memory.js';
export { sizeof } from './sizeof/sizeof.js';
export { registerSizeof } from './sizeof/sizeof-registry.js';

export { checksum } from './checksum.js';
export { payloadBytes } from './memory.js';
export { publishSizeof, sizeofWithout } from './sizeof/sizeof.js';
