import { asSubmissionId } from '@spillway/kernel';
import { StagedGraph } from './staged-graph.js';
import { aTask } from './testing/index.js';

const aGraph = (): StagedGraph => new StagedGraph(asSubmissionId('g'));

test('parts are collected in order, and a part that came before is ignored', () => {
  const graph = aGraph();
  expect(graph.addPart(0, [aTask('a'), aTask('b')])).toBe(2);
  expect(graph.addPart(0, [aTask('c')])).toBe(0);
  expect(graph.addPart(1, [aTask('c')])).toBe(1);

  expect(graph.specs.map((spec) => spec.key)).toEqual(['a', 'b', 'c']);
  expect(graph.partCount).toBe(2);
});

test('a gap between parts refuses the graph and drops what had come', () => {
  const graph = aGraph();
  graph.addPart(0, [aTask('a')]);

  expect(graph.addPart(2, [aTask('b')])).toBe(-1);
  expect(graph.refusal?.code).toBe('INVALID_ARGUMENT');
  expect(graph.specs).toEqual([]);
  expect(graph.addPart(1, [aTask('b')])).toBe(0);
});

test('a task that occurs twice counts once if it is the same, and refuses the graph if it is not', () => {
  const graph = aGraph();
  expect(graph.addPart(0, [aTask('a'), aTask('a')])).toBe(1);
  expect(graph.refusal).toBeUndefined();

  graph.addPart(1, [aTask('a', { args: 1 })]);
  expect(graph.refusal).toMatchObject({ code: 'KEY_CONFLICT', details: { key: 'a' } });
});

test('a graph that names tasks before it defines them is told apart, also a task that names itself', () => {
  const ordered = aGraph();
  ordered.addPart(0, [aTask('a', { dependencies: ['elsewhere'] }), aTask('b', { dependencies: ['a'] })]);
  expect(ordered.hasForwardReferences).toBe(false);

  const forward = aGraph();
  forward.addPart(0, [aTask('b', { dependencies: ['a'] }), aTask('a')]);
  expect(forward.hasForwardReferences).toBe(true);

  const self = aGraph();
  self.addPart(0, [aTask('a', { dependencies: ['a'] })]);
  expect(self.hasForwardReferences).toBe(true);
});
