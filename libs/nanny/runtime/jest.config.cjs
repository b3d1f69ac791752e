module.exports = { displayName: 'nanny-runtime', preset: '../../../jest.preset.cjs' };
