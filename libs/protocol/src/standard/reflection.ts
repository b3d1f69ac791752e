/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/**
 * grpc.reflection.v1.ServerReflection, for grpcurl and its like. Written here because the published package reads
 * .proto files beside itself, which a bundled program does not have. Extensions are not answered: there are none.
 */
import { status as statusCode, type Server, type ServerDuplexStream } from '@grpc/grpc-js';
import { grpc } from '@spillway/proto';
import { descriptorFiles, type DescriptorFile } from '@spillway/proto/descriptors';
import { method } from '../service.js';

const { ServerReflection, ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;
type Request = grpc.reflection.v1.ServerReflectionRequest;
type Response = grpc.reflection.v1.ServerReflectionResponse;

/** Adds reflection that tells of these services (full names) to a server. */
export function addReflection(server: Server, serviceNames: readonly string[]): void {
  const definition = {
    serverReflectionInfo: method(
      ServerReflection.prototype.serverReflectionInfo,
      ServerReflectionRequest,
      ServerReflectionResponse,
    ),
  };
  server.addService(definition, {
    serverReflectionInfo: (call: ServerDuplexStream<Request, Response>) => {
      call.on('error', () => undefined);
      call.on('end', () => call.end());
      call.on('data', (request: Request) => {
        // A client that asks without reading waits until it reads.
        if (call.write(answer(request, serviceNames))) return;
        call.pause();
        call.once('drain', () => call.resume());
      });
    },
  });
}

function answer(request: Request, serviceNames: readonly string[]): Response {
  const about = { validHost: request.host, originalRequest: request };
  switch (request.messageRequest) {
    case 'listServices':
      return { ...about, listServicesResponse: { service: serviceNames.map((name) => ({ name })) } };
    case 'fileByFilename':
      return { ...about, ...files(descriptorFiles.find(({ name }) => name === request.fileByFilename)) };
    case 'fileContainingSymbol': {
      const symbol = request.fileContainingSymbol ?? '';
      return { ...about, ...files(descriptorFiles.find(({ symbols }) => symbols.includes(symbol))) };
    }
    default:
      return { ...about, ...notFound('There are no extensions here.') };
  }
}

type Answer = Pick<Response, 'fileDescriptorResponse' | 'errorResponse'>;

const notFound = (errorMessage: string): Answer => ({
  errorResponse: { errorCode: statusCode.NOT_FOUND, errorMessage },
});

/** The file and all it needs, so that one question is enough. */
function files(file: DescriptorFile | undefined): Answer {
  if (file === undefined) return notFound('There is no such file or symbol here.');
  const needed = new Set([file]);
  for (const { dependencies } of needed) {
    for (const other of descriptorFiles) if (dependencies.includes(other.name)) needed.add(other);
  }
  return {
    fileDescriptorResponse: {
      fileDescriptorProto: [...needed].map(({ descriptor }) => Buffer.from(descriptor, 'base64')),
    },
  };
}
