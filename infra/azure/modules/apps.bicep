// Both function apps with what each has for itself: vault, host storage, identity and settings.
param location string
param tags object
param token string
param grants array
param roleIds object

@description('Of both apps: resource ids, client ids and object ids of their identities.')
param identities object

@description('Where tables, blobs, bus, logs and Application Insights are.')
param addresses object
param workspaceId string

@description('The client id of the app registration.')
param audience string
param deployerId string
param publicUrl string

@description('Names of pagers in the catalog; each has a secret pager-key-NAME.')
param pagers array
param pagerFallback bool

param privateNetworking bool
param subnets object
param zones object
param allowedNetworks array
param lockResources bool
param alwaysReadyHttp int
param alwaysReadyWork int
param httpConcurrency int
param maximumInstances int
param memoryMB int

var names = ['responder', 'executor']
var keyName = 'seals'
var vaultNames = { responder: 'kv-resp-${token}', executor: 'kv-exec-${token}' }
var vaultUrls = mapValues(vaultNames, name => 'https://${name}${environment().suffixes.keyvaultDns}')
var usualUrl = 'https://func-backstop-responder-${token}.azurewebsites.net'
var signingKey = '${vaultUrls.executor}/keys/${keyName}'
var networkRules = [
  for (network, i) in allowedNetworks: {
    name: 'chosen-${i}'
    action: 'Allow'
    ipAddress: network
    priority: 200 + i
  }
]
// Azure Monitor brings alerts from its own addresses only; its token is checked all the same.
var actionGroupRule = {
  name: 'azure-monitor'
  action: 'Allow'
  tag: 'ServiceTag'
  ipAddress: 'ActionGroup'
  priority: 100
}

module vaults 'vault.bicep' = [
  for app in names: {
    name: 'vault-${app}'
    params: {
      location: location
      tags: tags
      token: token
      app: app
      name: vaultNames[app]
      keyName: app == 'executor' ? keyName : ''
      grants: filter(grants, grant => (grant.on == 'vault' || grant.on == 'key') && grant.name == app)
      principals: identities.principals
      roleIds: roleIds
      deployerId: deployerId
      workspaceId: workspaceId
      privateNetworking: privateNetworking
      subnetId: subnets.endpoints
      zoneId: zones.vault
      allowedNetworks: allowedNetworks
      lockResources: lockResources
    }
  }
]

module hosts 'host-storage.bicep' = [
  for app in names: {
    name: 'host-${app}'
    params: {
      location: location
      tags: tags
      token: token
      app: app
      grants: filter(grants, grant => grant.on == 'host' && grant.name == app)
      principals: identities.principals
      roleIds: roleIds
      privateNetworking: privateNetworking
      subnetId: subnets.endpoints
      zoneId: zones.blob
    }
  }
]

// What shared/settings.py reads, and no more: a test holds it to that. Secrets are references by name.
var responderSecrets = '${vaultUrls.responder}/secrets/'
var executorSecrets = '${vaultUrls.executor}/secrets/'
var pagerSettings = toObject(
  pagers,
  name => 'BACKSTOP_PAGER_KEY_${toUpper(replace(name, '-', '_'))}',
  name => '@Microsoft.KeyVault(SecretUri=${responderSecrets}pager-key-${name})'
)
var fallbackSettings = pagerFallback
  ? { BACKSTOP_PAGER_FALLBACK_URL: '@Microsoft.KeyVault(SecretUri=${responderSecrets}pager-fallback-url)' }
  : {}
var commonSettings = {
  BACKSTOP_BLOBS: addresses.blobs
  BACKSTOP_BUS__credential: 'managedidentity'
  BACKSTOP_BUS__fullyQualifiedNamespace: addresses.bus
  BACKSTOP_LOGS_WORKSPACE: addresses.logs
  BACKSTOP_PUBLIC_URL: empty(publicUrl) ? usualUrl : publicUrl
  BACKSTOP_SUBSCRIPTION: subscription().subscriptionId
  BACKSTOP_TABLES: addresses.tables
  BACKSTOP_TICK: '*/10 * * * * *'
}
var responderSettings = {
  BACKSTOP_AUDIENCE: audience
  BACKSTOP_BUS__clientId: identities.clients.responder
  BACKSTOP_REDACTION_KEY: '@Microsoft.KeyVault(SecretUri=${responderSecrets}redaction-key)'
  BACKSTOP_ROLE: 'responder'
  BACKSTOP_TEAMS_URL: '@Microsoft.KeyVault(SecretUri=${responderSecrets}teams-url)'
  BACKSTOP_TENANT: tenant().tenantId
  BACKSTOP_VAULT: vaultUrls.responder
}
var executorSettings = {
  BACKSTOP_BUS__clientId: identities.clients.executor
  BACKSTOP_DEPLOYED_BY: empty(deployerId) ? '' : '${tenant().tenantId}/${deployerId}'
  BACKSTOP_REDACTION_KEY: '@Microsoft.KeyVault(SecretUri=${executorSecrets}redaction-key)'
  BACKSTOP_ROLE: 'executor'
  BACKSTOP_SIGNING_KEY: signingKey
  BACKSTOP_VAULT: vaultUrls.executor
}

module responder 'app.bicep' = {
  name: 'responder'
  params: {
    location: location
    tags: tags
    token: token
    app: 'responder'
    identityId: identities.ids.responder
    clientId: identities.clients.responder
    hostAccount: hosts[0].outputs.name
    packageUrl: hosts[0].outputs.packageUrl
    insightsConnectionString: addresses.insights
    workspaceId: workspaceId
    settings: union(commonSettings, pagerSettings, fallbackSettings, responderSettings)
    alwaysReady: filter(
      [
        { name: 'http', instanceCount: alwaysReadyHttp }
        { name: 'function:work', instanceCount: alwaysReadyWork }
      ],
      group => group.instanceCount > 0
    )
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    memoryMB: memoryMB
    subnetId: subnets.responder
    openIngress: !privateNetworking
    ingress: privateNetworking ? concat([actionGroupRule], networkRules) : []
    openDeployIngress: !privateNetworking
    deployIngress: privateNetworking ? networkRules : []
    audience: audience
  }
  dependsOn: [vaults]
}

// It has no HTTP route: nobody outside reaches it, with or without private networking.
module executor 'app.bicep' = {
  name: 'executor'
  params: {
    location: location
    tags: tags
    token: token
    app: 'executor'
    identityId: identities.ids.executor
    clientId: identities.clients.executor
    hostAccount: hosts[1].outputs.name
    packageUrl: hosts[1].outputs.packageUrl
    insightsConnectionString: addresses.insights
    workspaceId: workspaceId
    settings: union(commonSettings, executorSettings)
    alwaysReady: filter(
      [{ name: 'function:work', instanceCount: alwaysReadyWork }],
      group => group.instanceCount > 0
    )
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    memoryMB: memoryMB
    subnetId: subnets.executor
    openIngress: false
    ingress: []
    openDeployIngress: !privateNetworking
    deployIngress: privateNetworking ? networkRules : []
    audience: ''
  }
  dependsOn: [vaults]
}

output responderUrl string = 'https://${responder.outputs.hostName}'
output responderName string = responder.outputs.name
output executorName string = executor.outputs.name
output responderVault string = vaults[0].outputs.name
output executorVault string = vaults[1].outputs.name
output signingKey string = signingKey
