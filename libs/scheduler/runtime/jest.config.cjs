module.exports = { displayName: 'scheduler-runtime', preset: '../../../jest.preset.cjs' };
