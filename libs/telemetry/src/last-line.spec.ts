import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = `
  import { createLogger } from ${JSON.stringify(new URL('logger.ts', import.meta.url).href)};
  const logger = createLogger({ service: 'worker', instance: 'w', level: 'info' });
  for (let line = 0; line < 2000; line++) logger.info({ line }, 'x'.repeat(100));
  logger.error({ line: 'last' }, 'going down');
  process.exit(3);
`;

test('the last line before an exit arrives, with all before it', async () => {
  const { code, stdout } = await run(PROGRAM);

  const lines = stdout.trim().split('\n');
  expect(code).toBe(3);
  expect(lines).toHaveLength(2001);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ line: 'last', level: 'error' });
}, 30_000);

function run(program: string): Promise<{ code: unknown; stdout: string }> {
  const args = ['--import', 'tsx', '--conditions=@spillway/source', '--input-type=module', '--eval', program];
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout) => {
      resolve({ code: error?.code ?? 0, stdout });
    });
  });
}
