import { describe, test } from 'vitest';

/** A list of cases that is empty makes no test, and nobody would notice: whoever makes tests of one fails. */
type ByCases = (cases: readonly unknown[], ...rest: unknown[]) => unknown;
type Maker = Partial<Record<'each' | 'for', ByCases>>;

/** vitest keeps in `fn` what `test.concurrent` and its like are made of. */
type Chain = Maker & { readonly fn?: Maker };

for (const chain of [test, describe] as unknown as Chain[]) {
  for (const maker of [chain, chain.fn]) {
    for (const name of ['each', 'for'] as const) refuseEmpty(maker, name);
  }
}

function refuseEmpty(maker: Maker | undefined, name: 'each' | 'for'): void {
  const make = maker?.[name];
  if (maker === undefined || make === undefined) throw new Error(`vitest has no ${name} any more`);
  maker[name] = function (this: unknown, cases, ...rest) {
    if (cases.length === 0) throw new Error(`${name} got no case, so it makes no test`);
    return make.call(this, cases, ...rest);
  };
}
