module.exports = { displayName: 'testkit', preset: '../../jest.preset.cjs' };
