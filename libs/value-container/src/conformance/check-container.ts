/**
 * Tries a container against everything that a worker expects of it. For any test framework: an implementation's test
 * asserts that nothing of the report failed.
 */
import { hasManualEviction, missingMethods, type ValueContainer } from '../value-container.js';
import type { Bounds, Rule } from './rule.js';
import { CALL_RULES } from './rules/calls.js';
import { CONCURRENCY_RULES } from './rules/concurrency.js';
import { DELETION_RULES } from './rules/deletion.js';
import { EVICTION_RULES, MANUAL_EVICTION_IS_WHOLE } from './rules/eviction.js';
import { KEY_RULES } from './rules/keys.js';
import { VALUE_RULES } from './rules/values.js';

export interface CheckOptions {
  /** Size of the largest value tried. Default 8 MiB and one byte. */
  readonly largeBytes?: number;
  /** How long a rule may take. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface ConformanceReport {
  /** Rules that hold, each a sentence. */
  readonly passed: readonly string[];
  readonly failed: readonly Finding[];
  /** Rules about what the container does not offer: manual eviction, closing. */
  readonly notApplicable: readonly string[];
}

/** Both are sentences. */
export interface Finding {
  readonly rule: string;
  readonly found: string;
}

const HAS_THE_METHODS = 'It has the methods of a container.';

/** Every rule that a container can break, in the order of the report. */
export const RULE_SENTENCES: readonly string[] = [
  HAS_THE_METHODS,
  ...allRules().map(({ sentence }) => sentence),
];

/** `make` gives a new, empty container each time, which shares nothing with the others; each is closed afterwards. */
export async function checkContainer(
  make: () => ValueContainer | Promise<ValueContainer>,
  options: CheckOptions = {},
): Promise<ConformanceReport> {
  const { largeBytes = 8 * 1024 * 1024 + 1, timeoutMs = 30_000 } = options;
  const first = await make();
  const missing = missingMethods(first);
  if (missing.length > 0) {
    const found = `It lacks ${missing.join(', ')}. Nothing else was tried.`;
    return { passed: [], failed: [{ rule: HAS_THE_METHODS, found }], notApplicable: [] };
  }
  await closed(first);
  const passed = [HAS_THE_METHODS];
  const failed: Finding[] = [];
  const notApplicable: string[] = [];
  for (const rule of allRules()) {
    const container = await make();
    if (rule.appliesTo?.(container) === false) notApplicable.push(rule.sentence);
    else {
      const found = await findingOf(rule, container, { largeBytes }, timeoutMs);
      if (found === undefined) passed.push(rule.sentence);
      else failed.push({ rule: rule.sentence, found });
    }
    await closed(container);
  }
  return { passed, failed, notApplicable };
}

function allRules(): readonly Rule[] {
  return [
    ...VALUE_RULES,
    ...KEY_RULES,
    ...DELETION_RULES,
    ...CONCURRENCY_RULES,
    ...CALL_RULES,
    MANUAL_EVICTION_IS_WHOLE,
    ...EVICTION_RULES.map((rule): Rule => ({
      sentence: rule.sentence,
      appliesTo: hasManualEviction,
      check: (container) => (hasManualEviction(container) ? rule.check(container) : Promise.resolve()),
    })),
  ];
}

/** What breaks the rule; `undefined` when it holds. */
async function findingOf(
  rule: Rule,
  container: ValueContainer,
  bounds: Bounds,
  timeoutMs: number,
): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`It had not ended after ${timeoutMs} ms.`), timeoutMs);
  });
  const broken = rule.check(container, bounds).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : `It rejected with ${String(error)}.`),
  );
  const found = await Promise.race([broken, late]);
  clearTimeout(timer);
  return found;
}

/** One that was closed by a rule, or that cannot be, says so where that is looked at. */
async function closed(container: ValueContainer): Promise<void> {
  try {
    await container.close?.();
  } catch {
    // The rule about closing has seen it.
  }
}
