module.exports = { displayName: 'worker-memory', preset: '../../../jest.preset.cjs' };
