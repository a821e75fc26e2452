/** A function that makes its result when it is first asked for it, and gives the same ever after, a failure too. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** As `once`, but a failure is not kept: who asks next tries again. */
export interface RetriedOnce<T> {
  (): Promise<T>;
  /** What was made, where anybody has asked for it and it did not fail. */
  made(): Promise<T | undefined>;
}

export function retriedOnce<T>(make: () => Promise<T>): RetriedOnce<T> {
  let made: Promise<T> | undefined;
  const ask = (): Promise<T> => {
    if (made !== undefined) return made;
    const asked = make();
    made = asked;
    asked.catch(() => {
      if (made === asked) made = undefined;
    });
    return asked;
  };
  return Object.assign(ask, { made: async () => await made?.catch(() => undefined) });
}
