module.exports = { displayName: 'lmdb-container', preset: '../../jest.preset.cjs' };
