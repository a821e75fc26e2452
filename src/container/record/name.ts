import { randomInt } from 'node:crypto';

/** A name for a container that nobody has named, such as `quiet_noether`. Not checked to be free. */
export function randomName(): string {
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)]!;
}

const ADJECTIVES: readonly string[] =
  `able airy alert amber apt arctic avid bold brave breezy bright brisk calm candid careful cheerful civil clear clever
  cosy crisp curious daring deft dreamy eager early easy exact fair fancy fearless fleet fond frank fresh friendly frosty
  gentle giddy glad golden grand green handy happy hardy hearty honest humble idle jolly jovial keen kind lively loyal
  lucid lucky lunar mellow merry mild mindful modest neat nimble noble patient plucky polite proud prompt quick quiet
  rapid ready robust rosy rustic serene sharp silent silver simple sincere sleek smooth snappy solar solid sound spry
  stately steady sturdy sunny swift tidy tranquil true trusty upbeat vivid warm wise witty young zany zesty`.split(
    /\s+/,
  );

const SURNAMES: readonly string[] =
  `abel agnesi ampere anning archimedes babbage bardeen bell bernoulli bohr boltzmann boole born bose brahe cantor
  carson cauchy cavendish cerf chandrasekhar church clarke codd conway copernicus cori coulomb crick curie dalton darwin
  dedekind descartes dijkstra dirac easley edison einstein elion erdos euclid euler faraday fermat fermi feynman fleming
  fourier franklin galileo galois gauss germain gibbs goldberg goodall hamilton hawking heisenberg hermite hertz hilbert
  hodgkin hopper hubble huygens hypatia jackson jacobi johnson joule kepler kilby kirchhoff knuth kolmogorov kovalevskaya
  lagrange lamarr lamport laplace lavoisier leavitt legendre leibniz liskov lorentz lovelace mandelbrot maxwell mayer
  mcclintock meitner mendel mirzakhani mobius napier nash newton nightingale nobel noether ohm ostrom pascal pasteur
  pauli payne perlman planck poincare ptolemy ramanujan ride riemann ritchie rubin rutherford sagan sanger shannon
  shaw somerville stallman tesla thales thompson torvalds turing volta wald watt weierstrass wiles wilson wing wozniak
  wright wu yalow yonath zhukovsky`.split(/\s+/);
