module.exports = { displayName: 'worker-executor', preset: '../../../jest.preset.cjs' };
