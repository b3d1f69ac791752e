/** Where in a value a field is, as a user would write it: `value.rows[3].onClick`. */

export type Segment =
  | { readonly type: 'field' | 'index'; readonly key: string }
  | { readonly type: 'mapKey' | 'member'; readonly index: number }
  | { readonly type: 'mapValue'; readonly key: unknown }
  | { readonly type: 'codec'; readonly name: string };

/** A path shares its beginning with the paths of its siblings. `undefined` is the value itself. */
export interface Path {
  readonly parent: Path | undefined;
  readonly segment: Segment;
}

/** Of longer paths only the two ends are shown. */
const SEGMENTS_SHOWN_MAX = 40;

export const childPath = (parent: Path | undefined, segment: Segment): Path => ({ parent, segment });

export function formatPath(path: Path | undefined): string {
  const segments: string[] = [];
  for (let at = path; at !== undefined; at = at.parent) segments.push(formatSegment(at.segment));
  segments.reverse();
  const half = SEGMENTS_SHOWN_MAX / 2;
  if (segments.length <= SEGMENTS_SHOWN_MAX) return `value${segments.join('')}`;
  return `value${segments.slice(0, half).join('')}…${segments.slice(-half).join('')}`;
}

function formatSegment(segment: Segment): string {
  switch (segment.type) {
    case 'field':
    case 'index':
      if (/^(0|[1-9]\d*)$/.test(segment.key)) return `[${segment.key}]`;
      return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(segment.key)
        ? `.${segment.key}`
        : `[${JSON.stringify(segment.key)}]`;
    case 'mapKey':
      return `.keys()[${segment.index}]`;
    case 'member':
      return `.values()[${segment.index}]`;
    case 'mapValue':
      return `.get(${formatKey(segment.key)})`;
    case 'codec':
      return `<${segment.name}>`;
  }
}

function formatKey(key: unknown): string {
  if (typeof key === 'string') return JSON.stringify(key);
  return typeof key === 'object' && key !== null ? '{…}' : String(key);
}
