import type { TaskKey } from '@spillway/kernel';
import type { CodecName } from '../disk/codec.js';
import type { RecordPosition } from '../disk/spill-disk.js';

/** One record that is wanted. A record that moves is another one. Flat, as there may be hundreds of thousands. */
export class LiveRecord implements RecordPosition {
  readonly segment: number;
  readonly offset: number;
  readonly recordBytes: number;
  readonly codec: CodecName;
  readonly isAlone: boolean;
  /** Its place among those of its segment; changed by the segment table only. */
  index = -1;

  constructor(
    readonly key: TaskKey,
    { segment, offset, recordBytes, codec, isAlone }: RecordPosition,
  ) {
    this.segment = segment;
    this.offset = offset;
    this.recordBytes = recordBytes;
    this.codec = codec;
    this.isAlone = isAlone;
  }

  get position(): RecordPosition {
    const { segment, offset, recordBytes, codec, isAlone } = this;
    return { segment, offset, recordBytes, codec, isAlone };
  }
}
