module.exports = { displayName: 'ports', preset: '../../jest.preset.cjs' };
