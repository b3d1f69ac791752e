import fc from 'fast-check';
import { asSubmissionId } from '@spillway/kernel';
import { GraphOrder } from './graph-order.js';
import { StagedGraph } from './staged-graph.js';
import { aTask } from './testing/index.js';

const edges = fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 24 });

function stage(pairs: readonly (readonly [number, number])[]): StagedGraph {
  const graph = new StagedGraph(asSubmissionId('g'));
  const tasks = Array.from({ length: 12 }, (_, index) => {
    const dependencies = new Set(pairs.filter(([from]) => from === index).map(([, to]) => `k${to}`));
    return aTask(`k${index}`, { dependencies: [...dependencies] });
  });
  graph.addPart(0, tasks);
  return graph;
}

test('every graph is either put in an order with dependencies first, or shown a cycle it really has', () => {
  fc.assert(
    fc.property(edges, fc.integer({ min: 1, max: 40 }), (pairs, steps) => {
      const graph = stage(pairs);
      const order = new GraphOrder(graph);
      while (!order.work(steps));
      const cycle = order.findCycle();
      const depends = (from: number, to: number): boolean => pairs.some(([a, b]) => a === from && b === to);
      if (cycle === undefined) {
        const placeOf = new Map(order.order.map((index, place) => [index, place]));
        expect(placeOf.size).toBe(12);
        for (const [from, to] of pairs) expect(placeOf.get(to)!).toBeLessThan(placeOf.get(from)!);
      } else {
        expect(graph.hasForwardReferences).toBe(true);
        const places = cycle.map((key) => graph.indexOf.get(key)!);
        places.forEach((place, index) => {
          expect(depends(place, places[(index + 1) % places.length]!)).toBe(true);
        });
      }
    }),
    { numRuns: 500 },
  );
});
