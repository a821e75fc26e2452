import type { Call } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';
import type { RetryContext } from '../http/retry.ts';
import type { FetchedBlob, FetchedManifest, RepositoryClient } from '../registry-client.ts';
import type { RegistrySession } from '../session/registry-session.ts';
import { streamUpload } from '../upload/stream.ts';
import { hasBlob, uploadBlob } from '../upload/upload-blob.ts';
import { fetchBlob } from './fetch-body.ts';
import { listTags } from './list-tags.ts';
import { fetchManifest, putManifest, resolveManifest } from './manifests.ts';

export interface RepositoryParts {
  /** Where to read from, in the order to try; the registry itself last. */
  readonly sources: readonly RegistrySession[];
  /** Where to write to. */
  readonly target: RegistrySession;
  /** The paths by which the target may have what is in another repository. */
  readonly mountPaths: (repository: Pick<Reference, 'domain' | 'path'>) => readonly string[];
}

export type RetryFor = (call: Call, isLast: boolean) => RetryContext;

/**
 * The client of a repository: reads go through its mirrors, writes to the registry itself. `open` is called when
 * the client is first used, and again where it failed.
 */
export function repositoryClient(
  reference: Reference,
  open: (call: Call) => Promise<RepositoryParts>,
  retry: RetryFor,
): RepositoryClient {
  let opened: Promise<RepositoryParts & { readonly mirrors: MirrorList }> | undefined;
  const parts = (call: Call) => {
    opened ??= open(call).then((made) => ({ ...made, mirrors: new MirrorList(made.sources, retry) }));
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
  return {
    reference,
    async resolve(name, call) {
      const { mirrors } = await parts(call);
      const ask: Ask<Descriptor> = (session, context) => resolveManifest(session, name, context);
      return await mirrors.first({ call, ask, whole: true });
    },
    async resolvePushed(name, call) {
      return await resolveManifest((await parts(call)).target, name, retry(call, true));
    },
    async fetchManifest(name, call) {
      const { mirrors } = await parts(call);
      const ask: Ask<FetchedManifest> = (session, context) => fetchManifest(session, name, context);
      return await mirrors.first({ call, ask, whole: true });
    },
    async fetchBlob(descriptor, offset, call) {
      const { mirrors } = await parts(call);
      const ask: Ask<FetchedBlob> = async (session, context) => ({
        ...(await fetchBlob(session, descriptor, offset, context)),
        distrust: () => mirrors.distrust(session),
      });
      return await mirrors.first({ call, ask, whole: false });
    },
    async listTags(call) {
      const { mirrors } = await parts(call);
      return await mirrors.first({ call, ask: listTags, whole: true });
    },
    async hasBlob(digest, call) {
      return await hasBlob((await parts(call)).target, digest, retry(call, true));
    },
    async uploadBlob(upload, call) {
      const { target, mountPaths } = await parts(call);
      const paths = (upload.mountFrom ?? []).flatMap(mountPaths);
      return await uploadBlob(target, { ...upload, mountPaths: paths }, retry(call, true));
    },
    async streamBlob(upload, call) {
      return await streamUpload(async () => (await parts(call)).target, upload, retry(call, true));
    },
    async putManifest(name, content, mediaType, call) {
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      return await putManifest((await parts(call)).target, name, bytes, mediaType, retry(call, true));
    },
  };
}

type Ask<T> = (session: RegistrySession, retry: RetryContext) => Promise<T>;

interface Question<T> {
  readonly call: Call;
  readonly ask: Ask<T>;
  /** Whether an endpoint that does not know it need not be asked for any part of the image. */
  readonly whole: boolean;
}

/** How long an endpoint is passed over. */
const DISTRUST_MS = 5 * 60_000;

/** Endpoints in the order to try. One that cannot be reached, or has sent wrong content, is passed over for a while. */
class MirrorList {
  readonly #retry: RetryFor;
  readonly #sessions: readonly RegistrySession[];
  readonly #distrusted = new Map<RegistrySession, number>();

  constructor(sessions: readonly RegistrySession[], retry: RetryFor) {
    this.#sessions = sessions;
    this.#retry = retry;
  }

  /**
   * The answer of the first endpoint that can give one. Throws what the last one threw, with the others' failures in
   * its message.
   */
  async first<T>({ call, ask, whole }: Question<T>): Promise<T> {
    const failures: string[] = [];
    const candidates = this.#trusted();
    for (const session of candidates.slice(0, -1)) {
      const retry = this.#retry(call, false);
      try {
        return await ask(session, retry);
      } catch (error) {
        if (!isOcitsError(error) || error.code === 'aborted') throw error;
        if (whole || error.code !== 'not-found') this.distrust(session);
        failures.push(error.message);
        const text = `${session.endpoint.host} is passed over: ${error.message}`;
        retry.emit({ type: 'message', level: 'debug', text });
      }
    }
    try {
      return await ask(candidates.at(-1)!, this.#retry(call, true));
    } catch (error) {
      throw failures.length === 0 ? error : withMirrors(error, failures);
    }
  }

  /** Passes over an endpoint from now on; false where it is the only one left. */
  distrust(session: RegistrySession): boolean {
    if (this.#trusted().every((other) => other === session)) return false;
    this.#distrusted.set(session, performance.now() + DISTRUST_MS);
    return true;
  }

  #trusted(): readonly RegistrySession[] {
    // Most processes never need a clock, which costs them a millisecond to load.
    if (this.#distrusted.size === 0) return this.#sessions;
    const now = performance.now();
    return this.#sessions.filter((session) => (this.#distrusted.get(session) ?? 0) <= now);
  }
}

function withMirrors(error: unknown, failures: readonly string[]): unknown {
  if (!isOcitsError(error) || error.code === 'aborted') return error;
  return new OcitsError(error.code, `${error.message}; mirrors before it: ${failures.join('; ')}`, {
    cause: error,
    hint: error.hint,
  });
}
