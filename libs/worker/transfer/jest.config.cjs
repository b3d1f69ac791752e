module.exports = { displayName: 'worker-transfer', preset: '../../../jest.preset.cjs' };
