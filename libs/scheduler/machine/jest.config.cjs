module.exports = { displayName: 'scheduler-machine', preset: '../../../jest.preset.cjs' };
