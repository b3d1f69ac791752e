module.exports = {
  displayName: 'e2e',
  preset: '../../jest.preset.cjs',
  transformIgnorePatterns: ['node_modules/(?!(hyparquet|hyparquet-compressors|fzstd|hysnappy)/)'],
};
