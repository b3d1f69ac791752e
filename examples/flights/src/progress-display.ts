import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Progress } from './flights-job.js';

export interface ProgressDisplay {
  show(progress: Progress): void;
  end(): void;
}

/** Bars in a terminal, a line for each finished stage elsewhere; on stderr, so that stdout is the result alone. */
export function progressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY && process.env['CI'] === undefined ? bars(stream) : lines(stream);
}

function bars(stream: NodeJS.WriteStream): ProgressDisplay {
  const multi = new MultiBar(
    { format: '{stage} [{bar}] {value}/{total}', hideCursor: true, stream, clearOnComplete: false },
    Presets.rect,
  );
  const byStage = new Map<string, SingleBar>();
  return {
    show({ stage, done, total }) {
      let bar = byStage.get(stage);
      if (bar === undefined) byStage.set(stage, (bar = multi.create(total, 0, { stage: stage.padEnd(11) })));
      bar.update(done);
    },
    end: () => multi.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): ProgressDisplay {
  return {
    show({ stage, done, total }) {
      if (done === total) stream.write(`${stage}: ${done} of ${total} tasks done\n`);
    },
    end: () => undefined,
  };
}
