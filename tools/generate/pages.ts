/** The generated pages of docs/, as Markdown before formatting. */
import { variableOf, type ListedSetting } from '@spillway/config';
import type { ErrorClass } from './error-classes.js';

const generatedFrom = (sources: string): string =>
  `<!-- Generated from ${sources} by tools/generate/docs.ts. Do not edit; run \`npm run generate\`. -->`;

export function configPage(settings: readonly ListedSetting[]): string {
  const groupOf = (setting: ListedSetting): string => setting.path.split('.')[0] ?? '';
  const groups = [...new Set(settings.map(groupOf))];
  return [
    '# Settings',
    generatedFrom('libs/config/src/settings.ts'),
    CONFIG_INTRODUCTION,
    ...groups.flatMap((group) => [
      `## ${group}`,
      ...settings.filter((setting) => groupOf(setting) === group).map(settingSection),
    ]),
  ].join('\n\n');
}

const CONFIG_INTRODUCTION = `Every setting has one name everywhere. It is read, from low to high, from:

1. the default,
2. \`/etc/spillway/*.yaml\`, in alphabetical order,
3. \`~/.config/spillway/*.yaml\`, likewise,
4. \`spillway.yaml\` in the folder the program is started in,
5. the environment: \`SPILLWAY_A__B_C\` is the setting \`a.b-c\`,
6. the command line, or the options of a function.

Everything wrong in any of them is reported at once, with where it stands, and nothing is started. Unknown names are
wrong too. \`spillway config show --origin\` prints the value of each setting and where it comes from.

In a file, settings are nested maps:

\`\`\`yaml
worker:
  nthreads: 4
  memory:
    limit: 4 GiB
    spill: false
\`\`\`

Bytes are written \`4 GiB\`, \`512MB\`, \`2e3 MB\` or as a plain number; k, M, G, T, P are powers of 1000, and of 1024 with an
i. Durations are written \`200ms\`, \`5 minutes\` or \`1h 30m\`, always with their unit. Settings that may be off are turned
off by \`false\` (also \`none\` or \`off\`).

A _cluster_ setting has to be the same in all programs of a cluster; a _process_ setting belongs to each one.`;

function settingSection(setting: ListedSetting): string {
  const facts = [
    `Value: ${setting.expected}`,
    `Default: \`${setting.format(setting.default)}\``,
    `Variable: \`${variableOf(setting.path)}\``,
    ...(setting.flag === undefined ? [] : [`Flag: \`${setting.flag}\``]),
    `Used by: ${setting.programs.join(', ')} (${setting.group})`,
  ];
  return [`### ${setting.path}`, setting.doc, facts.map((fact) => `- ${fact}`).join('\n')].join('\n\n');
}

export function errorsPage(classes: readonly ErrorClass[]): string {
  return [
    '# Errors',
    generatedFrom('the doc comments of libs/kernel/src/errors.ts'),
    `Every error of Spillway has a \`code\` that never changes its meaning, a message that says what happened, to what, and
what to do, and \`details\` for programs. Act on the code (or the class), never on the text of the message. Over gRPC the
code is the \`reason\` of a \`google.rpc.ErrorInfo\`; over HTTP it is the \`code\` of the problem document.`,
    ...classes.map(({ code, name, doc }) => `<a id="${code}"></a>\n\n## ${code}\n\n\`${name}\`: ${doc}`),
  ].join('\n\n');
}

export function eventsPage(events: Readonly<Record<string, string>>): string {
  return [
    '# Events',
    generatedFrom('libs/telemetry/src/event-names.ts'),
    `Log lines about a change of state have one of these names in their field \`event\`. The names are stable: alerts and
searches may depend on them.`,
    '| event | meaning |\n|---|---|',
  ]
    .join('\n\n')
    .concat(...Object.entries(events).map(([name, sentence]) => `\n| \`${name}\` | ${sentence} |`));
}
