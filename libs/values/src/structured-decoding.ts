/** Reads a `v8` container. Views come back as views into the payload, uncopied; buffers as copies of their own. */
import { DefaultDeserializer } from 'node:v8';
import { MalformedError, readPrefix, type ContainerPrefix } from './container.js';
import { STANDS_FOR } from './flat-graph.js';
import { GraphRestoring } from './graph-restoring.js';
import { copyOut } from './memory.js';
import type { PlacedView } from './sections.js';
import { elementBytesOf, makeView } from './view-types.js';

export function decodeBare(clone: Uint8Array, isFlat: boolean, dependencies: readonly unknown[]): unknown {
  return read(new GraphReader(clone, new GraphRestoring(dependencies, clone.byteLength), []), isFlat);
}

export function decodeContainer(
  payload: Uint8Array,
  isFlat: boolean,
  dependencies: readonly unknown[],
): unknown {
  const prefix = readPrefix(payload);
  // A payload that starts at an odd place is moved once, as a whole, so that its views still share what they shared.
  const data = areViewsAligned(payload, prefix) ? payload : copyOut(payload);
  const buffers = prefix.buffers.map(({ isShared, offsetBytes, sizeBytes }) =>
    copyBuffer(data.subarray(offsetBytes, offsetBytes + sizeBytes), isShared),
  );
  const clone = data.subarray(prefix.cloneStartBytes, prefix.cloneEndBytes);
  const views = prefix.views.map((view) => placedView(view, data, buffers));
  const restoring = new GraphRestoring(dependencies, clone.byteLength);
  const reader = new GraphReader(clone, restoring, views, buffers);
  return read(reader, isFlat);
}

function read(reader: GraphReader, isFlat: boolean): unknown {
  reader.readHeader();
  const value: unknown = reader.readValue();
  return isFlat ? reader.restoring.restore(value) : value;
}

function areViewsAligned(payload: Uint8Array, { views }: ContainerPrefix): boolean {
  return views.every(
    ({ type, bufferNumber, offsetBytes }) =>
      bufferNumber !== undefined || (payload.byteOffset + offsetBytes) % elementBytesOf(type)! === 0,
  );
}

function copyBuffer(bytes: Uint8Array, isShared: boolean): ArrayBufferLike {
  if (!isShared) return copyOut(bytes).buffer;
  const buffer = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

function placedView(
  { type, bufferNumber, offsetBytes, sizeBytes }: PlacedView,
  data: Uint8Array,
  buffers: readonly ArrayBufferLike[],
): ArrayBufferView {
  if (bufferNumber !== undefined) return makeView(type, buffers[bufferNumber]!, offsetBytes, sizeBytes);
  const startBytes = data.byteOffset + offsetBytes;
  if (startBytes % elementBytesOf(type)! !== 0) throw new MalformedError('a view is not aligned');
  return makeView(type, data.buffer, startBytes, sizeBytes);
}

class GraphReader extends DefaultDeserializer {
  constructor(
    clone: Uint8Array,
    readonly restoring: GraphRestoring,
    private readonly views: readonly ArrayBufferView[],
    private readonly buffers: readonly ArrayBufferLike[] = [],
  ) {
    super(clone);
    buffers.forEach((buffer, number) => {
      if (buffer instanceof ArrayBuffer) this.transferArrayBuffer(number, buffer);
    });
  }

  /** Called by the deserializer for what our `_writeHostObject` wrote. */
  _readHostObject(): object {
    const standsFor = this.readUint32();
    const number = this.readUint32();
    switch (standsFor) {
      case STANDS_FOR.view:
        return known(this.views[number]);
      case STANDS_FOR.sharedBuffer:
        return known(this.buffers[number]);
      case STANDS_FOR.dependency:
        return this.restoring.dependency(number);
      case STANDS_FOR.slot:
        return this.restoring.slot(number);
      case STANDS_FOR.error:
        return this.restoring.errorShell(number);
      default:
        throw new MalformedError(`it holds an object of unknown sort ${standsFor}`);
    }
  }
}

function known(object: object | undefined): object {
  if (object === undefined) throw new MalformedError('it refers to bytes that it does not have');
  return object;
}
