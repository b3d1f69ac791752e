module.exports = { displayName: 'value-container', preset: '../../jest.preset.cjs' };
