import nlp from 'compromise/two';
import type { Sentence } from './text-document.js';

/** Enough for a tagger to see a phrase in its surroundings. */
const CONTEXT_CHARS = 100;

/** Whether an English phrase, where it stands in the sentence, names something: "the read *model*", not "models *read*". */
export function endsAsNoun(sentence: Sentence, phrase: string): boolean {
  const at = sentence.text.indexOf(phrase);
  const context =
    at < 0 ? phrase : sentence.text.slice(Math.max(at - CONTEXT_CHARS, 0), at + phrase.length + CONTEXT_CHARS);
  const match = nlp(context).match(phrase);
  if (!match.found) return true;
  const last = match.terms().last();
  const first = match.terms().first();
  return (
    !last.has('(#Verb|#Adverb|#Adjective|#Preposition|#Conjunction|#Determiner)') &&
    !first.has('(#PresentTense|#Infinitive|#Modal|#Adverb|#Pronoun)')
  );
}

/** Whether an English sentence says something of something. */
export function hasVerb(sentence: string): boolean {
  return nlp(sentence.slice(0, 400)).has('(#PresentTense|#PastTense|#Copula|#Modal|#Auxiliary|#Imperative)');
}
