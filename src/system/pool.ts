import pLimit from 'p-limit';

/**
 * Runs `work` over `items`, at most `limit` at once, and gives the results in the order of the items. The first
 * failure aborts the signal that the others were given; all are awaited, then that first failure is thrown.
 */
export async function mapPool<T, R>(
  items: Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal },
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController();
  const signal =
    options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal]);
  const limited = pLimit(options.limit);
  let failed = false;
  let firstError: unknown;
  const runs = Array.from(items, (item, index) =>
    limited(async () => {
      signal.throwIfAborted();
      return await work(item, signal, index);
    }).catch((error: unknown) => {
      if (!failed) {
        failed = true;
        firstError = error;
        controller.abort(error);
      }
      return undefined;
    }),
  );
  const results = await Promise.all(runs);
  if (failed) throw firstError;
  return results as R[];
}
