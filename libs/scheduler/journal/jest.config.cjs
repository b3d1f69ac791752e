module.exports = { displayName: 'scheduler-journal', preset: '../../../jest.preset.cjs' };
