module.exports = { displayName: 'worker-store', preset: '../../../jest.preset.cjs' };
