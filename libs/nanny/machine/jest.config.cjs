module.exports = { displayName: 'nanny-machine', preset: '../../../jest.preset.cjs' };
