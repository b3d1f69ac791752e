import { StoryTeller, type Told } from './story.js';

function tellingOf(pieces: readonly string[]): readonly Told[] {
  const told: Told[] = [];
  const teller = new StoryTeller((one) => told.push(one));
  for (const piece of pieces) teller.add(piece);
  return told;
}

const line = (fields: object): string => `${JSON.stringify(fields)}\n`;

test('of all that the programs write, the turns that memory takes are told, in their order', () => {
  const told = tellingOf([
    'no line of a log\n',
    line({ service: 'worker', instance: 'w-0', event: 'spill.started', msg: 'writing values to disk' }),
    line({ service: 'worker', instance: 'w-0', event: 'worker.paused', msg: 'paused: 82 %' }),
    line({ service: 'nanny', event: 'worker.killed', msg: 'worker w-0 was killed' }),
    line({ service: 'nanny', event: 'worker.exited', msg: 'Worker w-0 was ended.' }),
    line({ service: 'nanny', event: 'worker.spawned', msg: 'worker w-0 started' }),
    line({ service: 'worker', instance: 'w-0', event: 'worker.adopted', msg: 'took over 3 values' }),
    line({ service: 'scheduler', event: 'task.recomputed', count: 2 }),
    line({ service: 'nanny', event: 'worker.ready', startMs: 300, msg: 'worker w-0 registered' }),
    line({ service: 'scheduler', event: 'graph.accepted', msg: 'graph.accepted' }),
  ]);
  expect(told.map(({ turn }) => turn)).toEqual([
    'spill',
    'pause',
    'terminate',
    'verdict',
    'restart',
    'adopt',
    'recompute',
    'back',
  ]);
  expect(told[1]!.text).toBe('w-0 is paused: 82 %');
  expect(told[6]!.text).toContain('2 lost results');
});

test('what two programs say of the same turn is told once', () => {
  const told = tellingOf([
    line({ service: 'worker', instance: 'w-0', event: 'worker.paused', msg: 'paused' }),
    line({ service: 'scheduler', event: 'worker.paused', msg: 'worker.paused' }),
    line({ service: 'worker', event: 'worker.ready', msg: 'worker ready' }),
    line({ service: 'nanny', event: 'worker.ready', startMs: 300, msg: 'worker w-0 registered' }),
  ]);
  expect(told.map(({ turn }) => turn)).toEqual(['pause', 'back']);
});

test('a line that comes in pieces is one line', () => {
  const text = line({ service: 'worker', instance: 'w-0', event: 'spill.started', msg: 'now' });
  expect(tellingOf([text.slice(0, 20), text.slice(20)])).toEqual([
    { turn: 'spill', text: 'w-0 spills, now' },
  ]);
});
