module.exports = {
  displayName: 'tidy',
  preset: '../../jest.preset.cjs',
  testMatch: ['<rootDir>/*.spec.ts'],
};
