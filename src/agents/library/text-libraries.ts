import { soon } from '../../shared/lazily.js';

/** What reads a text of any language: with marked, franc and the stop words of all languages. */
export const reading = soon(async () => {
  const [{ readBlocks }, { languageOf }, { WordReader }] = await Promise.all([
    import('./text-blocks.js'),
    import('./language.js'),
    import('./words.js'),
  ]);
  return { readBlocks, languageOf, WordReader };
});

/** What tells the parts of speech in English: with compromise, 360 modules. */
export const english = soon(() => import('./english.js'));
