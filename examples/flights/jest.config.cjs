module.exports = {
  displayName: 'flights',
  preset: '../../jest.preset.cjs',
  // ESM-only packages, made CommonJS for jest.
  transformIgnorePatterns: ['node_modules/(?!(hyparquet|hyparquet-compressors|fzstd|hysnappy)/)'],
};
