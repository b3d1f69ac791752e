module.exports = { displayName: 'flights', preset: '../../jest.preset.cjs' };
