export { checkpoints as getStaticPaths, text as GET } from '../../../../components/door-file.ts';
