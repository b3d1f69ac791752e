module.exports = { displayName: 'values', preset: '../../jest.preset.cjs' };
