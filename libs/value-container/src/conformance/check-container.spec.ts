import type { ValueContainer } from '../value-container.js';
import { FAULTS } from '../testing/faulty-containers.js';
import { MapContainer, TwoMapContainer } from '../testing/index.js';
import { checkContainer, RULE_SENTENCES } from './check-container.js';

/** Still large for the container that truncates. */
const QUICK = { largeBytes: 1_500_000 };

test('a right container breaks no rule; what it does not offer is not asked of it', async () => {
  const report = await checkContainer(() => new MapContainer());
  expect(report.failed).toEqual([]);
  expect([...report.passed, ...report.notApplicable].toSorted()).toEqual(RULE_SENTENCES.toSorted());
  expect(report.notApplicable).toContain('No value is lost by evicting.');
});

test('a right container with manual eviction and an end is held to every rule', async () => {
  class Closing extends TwoMapContainer {
    close(): Promise<void> {
      return Promise.resolve();
    }
  }
  const report = await checkContainer(() => new Closing());
  expect(report).toEqual({ passed: RULE_SENTENCES, failed: [], notApplicable: [] });
});

test.each(FAULTS)('a container that $what is found out', async (fault) => {
  const { failed } = await checkContainer(() => fault.make(), QUICK);
  expect(failed.map(({ rule }) => rule)).toContainEqual(expect.stringContaining(fault.brokenRule));
});

test('there is no rule that nothing can break', () => {
  const unbroken = RULE_SENTENCES.filter(
    (sentence) => !FAULTS.some(({ brokenRule }) => sentence.startsWith(brokenRule)),
  );
  expect(unbroken).toEqual([]);
});

test('a container that never answers is found out, and does not hold up the rest', async () => {
  class Silent extends MapContainer {
    override get(): Promise<Uint8Array | undefined> {
      return new Promise(() => undefined);
    }
  }
  const { failed } = await checkContainer(() => new Silent(), { ...QUICK, timeoutMs: 50 });
  expect(failed).toContainEqual({
    rule: 'An empty value is a value.',
    found: 'It had not ended after 50 ms.',
  });
});

test('each rule is tried on a container of its own, which is closed', async () => {
  let madeCount = 0;
  let openCount = 0;
  class Counted extends MapContainer {
    readonly #number = ++madeCount;
    #isOpen = ++openCount > 0;

    close(): Promise<void> {
      if (this.#isOpen) openCount--;
      this.#isOpen = this.#number < 0;
      return Promise.resolve();
    }
  }
  const make = async (): Promise<ValueContainer> => Promise.resolve(new Counted());
  expect((await checkContainer(make, QUICK)).failed).toEqual([]);
  expect(madeCount).toBe(RULE_SENTENCES.length);
  expect(openCount).toBe(0);
});
