module.exports = { displayName: 'worker-machine', preset: '../../../jest.preset.cjs' };
