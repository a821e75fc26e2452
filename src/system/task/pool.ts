import pLimit from 'p-limit';

/**
 * Runs `work` over `items`, at most `limit` at once, and gives the results in the order of the items. The first
 * failure aborts the signal that the others were given; all are awaited, then that first failure is thrown.
 */
export async function mapPool<T, R>(
  items: Iterable<T>,
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController();
  const signal =
    options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal]);
  const limited = pLimit(options.limit);
  let failed: { readonly error: unknown } | undefined;
  const runs = Array.from(items, (item, index) =>
    limited(async () => {
      if (signal.aborted) return undefined;
      try {
        return await work(item, signal, index);
      } catch (error) {
        // Within the limit, so that the next item sees the abort before it starts.
        failed ??= { error };
        controller.abort(error);
        return undefined;
      }
    }),
  );
  const results = await Promise.all(runs);
  if (failed !== undefined) throw failed.error;
  options.signal?.throwIfAborted();
  return results as R[];
}
