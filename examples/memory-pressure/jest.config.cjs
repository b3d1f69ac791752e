module.exports = { displayName: 'memory-pressure', preset: '../../jest.preset.cjs' };
