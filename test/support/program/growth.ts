const TIMES = 16;
/** The kernel may count a thread's time in steps of ten milliseconds. */
const ENOUGH_MICROSECONDS = 150_000;

/**
 * The power of its input's size with which work grows: about 1 where it is linear, 2 where it is quadratic. What counts
 * is this thread's time on a processor, so that other programs of a busy machine do not.
 */
export function growth<T>(input: (size: number) => T, size: number, work: (input: T) => unknown): number {
  const [small, large] = [input(size), input(TIMES * size)];
  // Once for the compiler.
  timeOf(() => work(small));
  const [short, long] = [timeOf(() => work(small)), timeOf(() => work(large))];
  return Math.log(long / short) / Math.log(TIMES);
}

/** The microseconds that one run takes: the mean of as many as add up to enough. */
function timeOf(work: () => unknown): number {
  const started = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    work();
    const { user, system } = process.threadCpuUsage(started);
    if (user + system >= ENOUGH_MICROSECONDS) return (user + system) / runs;
  }
}

/** What `growth` is below for work that is linear, on a machine that does other things meanwhile. */
export const LINEAR = 1.5;
