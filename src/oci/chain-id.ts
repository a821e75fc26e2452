import { type Digest, digestOf } from './digest.ts';

/** image-spec config.md#layer-chainid: the name of a stack of layers, from the diffIDs, base first. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
