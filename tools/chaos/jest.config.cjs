module.exports = {
  displayName: 'chaos',
  preset: '../../jest.preset.cjs',
  testMatch: ['<rootDir>/*.spec.ts'],
};
