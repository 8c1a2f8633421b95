export { checkpoints as getStaticPaths, data as GET } from '../../../../components/door-file.ts';
