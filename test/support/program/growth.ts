const RUNS = 5;
const TIMES = 16;

/**
 * The power of its input's size with which work grows, at best: about 1 where it is linear, 2 where it is quadratic. A
 * slow machine is slow for the small input and the large one alike.
 */
export function growth<T>(input: (size: number) => T, size: number, work: (input: T) => unknown): number {
  const shortest = (given: T) =>
    Math.min(
      ...Array.from({ length: RUNS }, () => {
        const started = performance.now();
        work(given);
        return performance.now() - started;
      }),
    );
  const [small, large] = [input(size), input(TIMES * size)];
  // Once for the compiler.
  shortest(small);
  return Math.log(shortest(large) / shortest(small)) / Math.log(TIMES);
}

/** What `growth` is below for work that is linear, on a machine that does other things meanwhile. */
export const LINEAR = 1.7;
