/**
 * An innocent user of a cluster that others mistreat: a client with a loop of small tasks. Whatever goes wrong for it is
 * told by `stop`, with what else must hold: the programs are those that were there before, and a graph still runs.
 */
import assert from 'node:assert/strict';
import type { Client, LocalCluster } from '@spillway/client';
import { loadWork } from '../clusters.js';

type Work = Awaited<ReturnType<typeof loadWork>>;

export class Bystander implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #loop: Promise<number>;

  private constructor(
    private readonly client: Client,
    private readonly work: Work,
    /** Names of the workers that were there at the beginning. */
    readonly workerNames: readonly string[],
    private readonly pids: ReadonlyMap<string, number>,
  ) {
    this.#loop = this.#go();
    // Told by `stop`.
    this.#loop.catch(() => undefined);
  }

  static async of(cluster: LocalCluster): Promise<Bystander> {
    const client = await cluster.connect();
    const work = await loadWork(client);
    const names = (await client.workers()).map(({ name }) => name);
    return new Bystander(client, work, names, await client.run(work.pid));
  }

  /** Rejects with whatever the bystander noticed. */
  async stop(): Promise<{ readonly roundCount: number }> {
    this.#stopping.abort();
    const roundCount = await this.#loop;
    const workers = [...this.pids.keys()];
    assert.deepEqual(await this.client.run(this.work.pid, [], { workers, timeout: '10s' }), this.pids);
    const parts = this.client.with({ workers: this.workerNames }).map(this.work.inc, [1, 2, 3, 4]);
    const sum = this.client.with({ workers: this.workerNames }).submit(this.work.sum, parts);
    assert.equal(await sum.result({ timeout: '10s' }), 14);
    return { roundCount };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.client.close();
  }

  async #go(): Promise<number> {
    const submitter = this.client.with({ workers: this.workerNames });
    let rounds = 0;
    while (!this.#stopping.signal.aborted) {
      const parts = submitter.map(this.work.inc, [rounds, rounds + 1]);
      const sum = submitter.submit(this.work.sum, parts);
      assert.equal(await sum.result({ timeout: '10s' }), 2 * rounds + 3);
      this.client.release([...parts, sum]);
      rounds += 1;
    }
    return rounds;
  }
}
