import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../../..');
const MAIN = 'examples/memory-pressure/src/main.ts';

/** The example as it is run, with less to hold and a faster leak. */
test('the example spills, pauses, is terminated and comes back, and its computation is right', async () => {
  const args = ['--import', 'tsx', '--conditions=@spillway/source', MAIN, '--json', '--stations', '8'];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--leak', '40'], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const outcome = JSON.parse(stdout) as { turns: string[]; isRight: boolean; correlationCount: number };
  expect(outcome.isRight).toBe(true);
  expect(outcome.correlationCount).toBeGreaterThanOrEqual(3 * 28);
  const firsts = [...new Set(outcome.turns)];
  expect(firsts).toEqual(
    expect.arrayContaining(['spill', 'pause', 'terminate', 'verdict', 'restart', 'back']),
  );
  const after = (turn: string): number => firsts.indexOf(turn);
  expect(after('spill')).toBeLessThan(after('pause'));
  expect(after('pause')).toBeLessThan(after('terminate'));
  expect(after('terminate')).toBeLessThan(after('back'));
}, 180_000);
