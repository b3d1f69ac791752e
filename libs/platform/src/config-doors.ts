import { readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';

/** The doors through which `@spillway/config` reads files and the environment of this process. */
export function configDoors(): {
  env: NodeJS.ProcessEnv;
  cwd: string;
  homeDir: string;
  readFile: (path: string) => string | undefined;
  listFolder: (path: string) => string[];
} {
  return {
    env: process.env,
    cwd: process.cwd(),
    homeDir: homedir(),
    readFile: (path) => unlessMissing(() => readFileSync(path, 'utf8')),
    listFolder: (path) => unlessMissing(() => readdirSync(path)) ?? [],
  };
}

function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
