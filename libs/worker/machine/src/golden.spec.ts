import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GoldenScript } from './testing/index.js';

const folder = join(__dirname, 'golden');
const isUpdating = process.env['UPDATE_GOLDEN'] === '1';

describe('golden scripts', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

  test('there are scripts', () => {
    expect(files.length).toBeGreaterThanOrEqual(10);
  });

  test.each(files)('%s goes as written', (name) => {
    const path = join(folder, name);
    const blocks = GoldenScript.parse(readFileSync(path, 'utf8'));

    const actual = new GoldenScript().run(blocks);

    if (isUpdating) writeFileSync(path, GoldenScript.format(actual));
    else expect(GoldenScript.format(actual)).toBe(GoldenScript.format(blocks));
  });
});
