import { DesktopEntity, DialEntity, FileEntity, HostEntity, SigningKeyEntity, ViewerLinkEntity } from './desktops.ts';
import { ActivationEntity, DeliveryEntity, LaneEntity, StepEntity, TriggerEntity } from './dispatch.ts';
import {
  GrantEntity,
  IdentityEntity,
  InstallationEntity,
  OrganisationEntity,
  PairingCodeEntity,
  PositionEntity,
  RoleEntity,
  SettingEntity,
  WorkerEntity,
} from './organisation.ts';
import { RateBudgetEntity } from './rate-budget.ts';
import {
  BindingEntity,
  EventEntity,
  ParticipantEntity,
  ReceiptEntity,
  StreamEntity,
  SubscriptionEntity,
  ThreadBindingEntity,
  ThreadEntity,
} from './streams.ts';

/** Every table of the store: what the migrations are checked against. */
export const entities = [
  OrganisationEntity,
  InstallationEntity,
  RoleEntity,
  PositionEntity,
  WorkerEntity,
  IdentityEntity,
  GrantEntity,
  SettingEntity,
  PairingCodeEntity,
  StreamEntity,
  BindingEntity,
  SubscriptionEntity,
  ThreadEntity,
  ThreadBindingEntity,
  ParticipantEntity,
  EventEntity,
  ReceiptEntity,
  LaneEntity,
  TriggerEntity,
  ActivationEntity,
  StepEntity,
  DeliveryEntity,
  RateBudgetEntity,
  HostEntity,
  DesktopEntity,
  ViewerLinkEntity,
  SigningKeyEntity,
  DialEntity,
  FileEntity,
];
