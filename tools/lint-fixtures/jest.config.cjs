module.exports = {
  displayName: 'lint-fixtures',
  preset: '../../jest.preset.cjs',
  testMatch: ['<rootDir>/*.spec.ts'],
};
